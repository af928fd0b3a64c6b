"""charrnn sample"""
