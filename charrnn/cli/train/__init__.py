"""charrnn train"""
